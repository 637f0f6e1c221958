"""The installation's home directory: database, warehouse, uploads, logs, secret key. No Django here."""

import os
import secrets
from pathlib import Path


def home_directory() -> Path:
    """`PATRON_HOME`; else `var/` of the checkout one stands in; else `~/.local/share/patron`. Created if missing."""
    configured = os.environ.get("PATRON_HOME")
    home = Path(configured).expanduser() if configured else (_checkout_home() or _user_home())
    home = home.resolve()
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    return home


def _checkout_home() -> Path | None:
    for folder in (Path.cwd(), *Path.cwd().parents):
        project = folder / "pyproject.toml"
        if project.is_file() and 'name = "patron-crm"' in project.read_text(encoding="utf-8"):
            return folder / "var"
    return None


def _user_home() -> Path:
    return Path(os.environ.get("XDG_DATA_HOME", str(Path.home() / ".local" / "share"))) / "patron"


def ensure_secret(home: Path) -> str:
    """The secret key: `PATRON_SECRET_KEY`, or the one kept in the home: made at first start, for its owner only."""
    if configured := os.environ.get("PATRON_SECRET_KEY"):
        return configured
    path = home / "secret_key"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        secret = secrets.token_urlsafe(50)
        file.write(secret)
    return secret
