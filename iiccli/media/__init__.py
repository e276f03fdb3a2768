"""Reading and writing pictures and clips.

Everything that leaves this package is 8-bit RGB in `numpy` arrays, upright; what a file
carried besides its pixels (alpha, profile, EXIF, frame rate) is set aside next to them.
"""
