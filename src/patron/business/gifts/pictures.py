"""Pictures of gifts. What is uploaded is read, shrunk and written anew, so that nothing else in the file survives."""

import io
import warnings
from typing import TYPE_CHECKING

from django.core.files.base import ContentFile
from PIL import Image, ImageOps

from patron.business.gifts.errors import NotAPicture

if TYPE_CHECKING:
    from django.core.files import File

LARGEST_BYTES = 5 * 1024 * 1024
LARGEST_PIXELS = 40_000_000
LONGEST_SIDE = 1200
FORMATS = ("JPEG", "PNG", "WEBP")


def clean_picture(upload: "File[bytes]") -> "tuple[ContentFile[bytes], str]":
    """The picture with its longer side at most 1,200 pixels, upright, without any of its metadata; and its ending.

    JPEG, or PNG where it is see-through. Raises NotAPicture for another format, a broken or too large file.
    """
    if (upload.size or 0) > LARGEST_BYTES:
        raise NotAPicture(details={"field": "picture"})
    upload.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(upload.read()), formats=FORMATS) as opened:
                if opened.width * opened.height > LARGEST_PIXELS:
                    raise NotAPicture(details={"field": "picture"})
                return _written(opened)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise NotAPicture(details={"field": "picture"}) from error


def _written(opened: Image.Image) -> "tuple[ContentFile[bytes], str]":
    upright = ImageOps.exif_transpose(opened)
    see_through = "A" in upright.getbands() or "transparency" in upright.info
    plain = upright.convert("RGBA" if see_through else "RGB")
    plain.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    bare = Image.new(plain.mode, plain.size)
    bare.paste(plain)
    buffer = io.BytesIO()
    if see_through:
        bare.save(buffer, "PNG", optimize=True)
    else:
        bare.save(buffer, "JPEG", quality=85, optimize=True)
    return ContentFile(buffer.getvalue()), "png" if see_through else "jpg"
