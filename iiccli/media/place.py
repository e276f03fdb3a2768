"""Whether a picture's metadata tell where it was taken."""

from __future__ import annotations

from PIL import ExifTags, Image

from iiccli.media.opening import DECODE_ERRORS

_PLACE = (ExifTags.GPS.GPSLatitude, ExifTags.GPS.GPSLongitude)


def tells_place(exif: bytes | None, xmp: bytes | None) -> bool:
    """Tell whether an EXIF block or an XMP packet gives a latitude or a longitude."""
    if xmp is not None and any(word in xmp for word in (b"GPSLatitude", b"GPSLongitude")):
        return True
    if exif is None:
        return False
    try:
        block = Image.Exif()
        block.load(exif)
        found = block.get_ifd(ExifTags.IFD.GPSInfo)
    except DECODE_ERRORS:
        return False
    return any(tag in found for tag in _PLACE)
