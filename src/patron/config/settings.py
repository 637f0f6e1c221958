"""Django settings. Everything a user may change comes from the environment (`PATRON_…`) and has a sensible default."""

import os
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF

from patron.config.database import database_settings
from patron.config.home import ensure_secret, home_directory
from patron.kernel.observability.logs import logging_settings

HOME = home_directory()
PACKAGE = Path(__file__).resolve().parent.parent


def _flag(name: str, *, default: bool = False) -> bool:
    return os.environ.get(name, str(default)).strip().lower() in {"1", "true", "yes", "on"}


def _list(name: str, default: str) -> list[str]:
    return [part.strip() for part in os.environ.get(name, default).split(",") if part.strip()]


DEBUG = _flag("PATRON_DEBUG")
SECRET_KEY = ensure_secret(HOME)
ALLOWED_HOSTS = _list("PATRON_ALLOWED_HOSTS", "*" if DEBUG else "localhost,127.0.0.1,[::1],testserver")
CSRF_TRUSTED_ORIGINS = _list("PATRON_TRUSTED_ORIGINS", "")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "procrastinate.contrib.django",
    "django_htmx",
    "template_partials",
    "axes",
    "csp",
    "patron.kernel",
    "patron.core.accounts",
    "patron.core.catalog",
    "patron.core.customers",
    "patron.core.activities",
    "patron.business.purchases",
    "patron.business.loyalty",
    "patron.business.vouchers",
    "patron.business.gifts",
    "patron.business.storedvalue",
    "patron.business.cards",
    "patron.business.tills",
    "patron.intelligence.warehouse",
    "patron.intelligence.insights",
    "patron.intelligence.reports",
    "patron.touchpoints.workspace",
    "patron.touchpoints.api",
]

MIDDLEWARE = [
    "patron.kernel.observability.middleware.RequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "patron.core.accounts.middleware.ActorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "patron.kernel.ui.middleware.DomainErrorMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "patron.config.urls"
WSGI_APPLICATION = "patron.config.wsgi.application"
APPEND_SLASH = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "patron.kernel.ui.context.shell",
            ],
        },
    }
]

DATABASES = {"default": database_settings(HOME)}

AUTH_USER_MODEL = "accounts.Staff"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign-in"

# Sign-in throttling: five misses for one name from one address, then a quarter of an hour's rest.
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "patron.core.accounts.throttling.lockout"
AXES_VERBOSE = False

LANGUAGE_CODE = os.environ.get("PATRON_LANGUAGE", "en")
LANGUAGES = [("en", "English"), ("zh-hant", "繁體中文"), ("zh-hans", "简体中文")]
LANGUAGE_COOKIE_NAME = "patron_language"
LANGUAGE_COOKIE_SAMESITE = "Lax"
LOCALE_PATHS = [PACKAGE / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = os.environ.get("PATRON_TIME_ZONE", "Asia/Hong_Kong")
USE_THOUSAND_SEPARATOR = True

CURRENCY = os.environ.get("PATRON_CURRENCY", "HKD")
ORGANISATION = os.environ.get("PATRON_ORGANISATION", "Patron")
PHONE_REGION = os.environ.get("PATRON_PHONE_REGION", "HK")

STATIC_URL = "/static/"
STATIC_ROOT = HOME / "static"
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "patron.kernel.ui.assets.NodePartsFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or _flag("PATRON_TESTING")
        else "patron.kernel.ui.assets.HashedStaticFiles"
    },
}
WHITENOISE_USE_FINDERS = DEBUG or _flag("PATRON_TESTING")
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
MEDIA_ROOT = HOME / "media"
MEDIA_URL = "/media/"
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
FILE_UPLOAD_TEMP_DIR = None
UPLOAD_MAX_BYTES = int(os.environ.get("PATRON_UPLOAD_MAX_MB", "2048")) * 1024 * 1024
IMPORT_DIRECTORY = HOME / "imports"
WAREHOUSE_DIRECTORY = Path(os.environ.get("PATRON_WAREHOUSE", str(HOME / "warehouse")))

# Where phones and other people's servers reach this installation, for example https://club.example.com.
PUBLIC_ADDRESS = os.environ.get("PATRON_PUBLIC_ADDRESS", "").rstrip("/")
# Members' cards in phones' wallets: the organisation's own certificate (Apple) and service account (Google).
PASS_CERTIFICATE = os.environ.get("PATRON_PASS_CERTIFICATE", "")
PASS_KEY = os.environ.get("PATRON_PASS_KEY", "")
PASS_KEY_PASSWORD = os.environ.get("PATRON_PASS_KEY_PASSWORD", "")
PASS_WWDR = os.environ.get("PATRON_PASS_WWDR", "")
GOOGLE_WALLET_KEY = os.environ.get("PATRON_GOOGLE_WALLET_KEY", "")
GOOGLE_WALLET_CLASS = os.environ.get("PATRON_GOOGLE_WALLET_CLASS", "")

SECURE_TRANSPORT = _flag("PATRON_HTTPS")
SECURE_SSL_REDIRECT = False
SECURE_HSTS_SECONDS = 31_536_000 if SECURE_TRANSPORT else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE_TRANSPORT else None
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_TRANSPORT
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_ENGINE = "django.contrib.sessions.backends.db"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}

CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

SLOW_QUERY_MS = int(os.environ.get("PATRON_SLOW_QUERY_MS", "200"))
SILENCED_SYSTEM_CHECKS = ["security.W004", "security.W008", "security.W012", "security.W016"]

LOGGING = logging_settings(
    style=os.environ.get("PATRON_LOG_FORMAT", "json"),
    level=os.environ.get("PATRON_LOG_LEVEL", "INFO"),
    library_level=os.environ.get("PATRON_LOG_LEVEL", "WARNING"),
)

if _flag("PATRON_TESTING"):
    DATABASES["default"]["OPTIONS"]["options"] = "-c patron.testing=on"
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
