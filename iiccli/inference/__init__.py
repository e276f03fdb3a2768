"""Running a network on pictures of any size: device, padding, tiles, message."""
