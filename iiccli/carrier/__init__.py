"""The file that travels: pixels and header; write, read, recognise, check.

A carrier is a lossless picture that says what it holds and which model takes it out, in its
metadata and once more in its pixels. Nothing in it is trusted: a foreign, damaged or
malicious file leads to one of the errors that the functions name, and to nothing else.
"""

from iiccli.carrier.border import (
    can_be_veiled,
    free_samples,
    header_samples,
    reserved_samples,
)
from iiccli.carrier.decode import MAX_PIXELS
from iiccli.carrier.describe import contents, describe, sentence
from iiccli.carrier.header import (
    CODEC,
    CODEC_VERSION,
    JSON,
    NO_MODEL,
    Header,
    NewerCarrierError,
)
from iiccli.carrier.lock import Lock
from iiccli.carrier.metadata import Attached
from iiccli.carrier.pixels import VEIL_LENGTH, Pixels, Stamp, Unveil, checksum, read_stamp, stamp
from iiccli.carrier.reader import Carrier, State, read_carrier, take_for_carrier
from iiccli.carrier.writer import FORMATS, check_carrier_target, write_carrier

__all__ = [
    "CODEC",
    "CODEC_VERSION",
    "FORMATS",
    "JSON",
    "MAX_PIXELS",
    "NO_MODEL",
    "VEIL_LENGTH",
    "Attached",
    "Carrier",
    "Header",
    "Lock",
    "NewerCarrierError",
    "Pixels",
    "Stamp",
    "State",
    "Unveil",
    "can_be_veiled",
    "check_carrier_target",
    "checksum",
    "contents",
    "describe",
    "free_samples",
    "header_samples",
    "read_carrier",
    "read_stamp",
    "reserved_samples",
    "sentence",
    "stamp",
    "take_for_carrier",
    "write_carrier",
]
