"""Pictures one after the other: what is decoded is what the coder went on with."""

import numpy as np
import pytest
import torch

from iiccli.coding.layout import regions
from iiccli.inference import threads
from iiccli.inference.adaptive import AdaptiveConverter, sharing
from iiccli.inference.adaptive.growing import Rounding
from iiccli.inference.adaptive.quantising import dequantise
from iiccli.inference.adaptive.sequence import Coded, PictureSequence
from iiccli.inference.adaptive.sharing import InTurn
from iiccli.inference.places import OnAverage
from tests.adaptive_models import converter_of, pictures_of
from tests.conftest import psnr

LEVEL = -1300


def ready(size: tuple[int, int] = (128, 160)):
    """A converter, a region's message, its sequence and what is wanted of it."""
    converter = converter_of("sequence")
    pictures = pictures_of("sequence", *size, 7)
    cover = converter.deep_cover(pictures[0])
    (region,) = converter.regions(cover)
    shown = OnAverage(cover, converter.config.moduli[0])
    message = converter.message(region, np.ones(cover.shape, bool), 0)
    ready = converter.in_turn.prepare(pictures, shown, region, 1.0, message.stream.room)
    return converter, message, ready.sequence, ready.wanted, ready.vectors, pictures


def coded_at(
    converter: AdaptiveConverter, message, sequence: PictureSequence, wanted, level: int = LEVEL
) -> Coded:
    return converter.in_turn.coding(sequence, wanted, message)(level)


@torch.inference_mode()
def test_what_is_decoded_is_close_to_what_was_wanted():
    converter, message, sequence, wanted, _, pictures = ready()
    coded = coded_at(converter, message, sequence, wanted)
    quantised = coded.quantised()
    assert quantised.shape == (64, 9, message.grid.cells)
    classes = message.coder.classes(quantised, LEVEL)
    levels = np.full(message.grid.cells, LEVEL)
    values = dequantise(quantised, classes, levels, converter.net.centres.numpy())
    decoded = dict(sequence.decode(lambda ranks: values[:, ranks], coded.modes))
    planes = [decoded[number] for number in range(3)]
    found = [np.rint(p.permute(1, 2, 0).clamp(0, 1).numpy() * 255) for p in planes]
    # The same cover on both sides: only the quantiser's error is left, step² / 12 at the most.
    most = 20 * np.log10(2 ** (-LEVEL / 256) * np.sqrt(12))
    for own, picture in zip(found, pictures[1:], strict=True):
        assert psnr(own, picture) > most - 1.5


@torch.inference_mode()
def test_rates_are_those_of_what_is_written():
    converter, message, sequence, wanted, _, _ = ready()
    coded = coded_at(converter, message, sequence, wanted)
    quantised = coded.quantised()
    assert np.allclose(coded.rates, message.coder.rate(quantised, LEVEL), rtol=1e-5)
    payloads = coded.write()
    assert [len(p) for p in payloads] == pytest.approx(coded.rates, rel=0.02)
    again, _ = message.coder.read(payloads, np.full(len(payloads), LEVEL))
    assert (again == quantised).all()


@torch.inference_mode()
def test_threads_make_no_difference(monkeypatch):
    converter, message, sequence, wanted, _, _ = ready()
    alone = coded_at(converter, message, sequence, wanted)
    monkeypatch.setattr(sharing, "_FEWEST", 1)
    monkeypatch.setattr(sharing, "workers", lambda: 3)
    monkeypatch.setattr(threads, "workers", lambda: 3)
    monkeypatch.setattr("iiccli.inference.adaptive.sequence._CELLS", 50)
    shared = coded_at(converter, message, sequence, wanted)
    assert (shared.modes == alone.modes).all()
    assert (shared.quantised() == alone.quantised()).all()
    assert np.allclose(shared.rates, alone.rates)
    for own, other in zip(shared.write(), alone.write(), strict=True):
        assert (own == other).all()


@torch.inference_mode()
def test_modes_that_are_given_are_taken():
    converter, message, sequence, wanted, _, _ = ready()
    given = np.ones((3, message.grid.cells), np.uint8)
    turn = InTurn(message.coder, Rounding(LEVEL, message.thresholds, converter.net.centres.numpy()))
    coded = sequence.code(wanted, turn, given)
    assert (coded.modes == 1).all()
    free = coded_at(converter, message, sequence, wanted)
    assert set(np.unique(free.modes)) > {1}
    assert free.rates.sum() < coded.rates.sum()


def test_a_message_gives_back_modes_vectors_and_coefficients():
    converter, message, sequence, wanted, vectors, _ = ready((150, 200))
    with torch.inference_mode():
        code = converter.in_turn.coding(sequence, wanted, message)
        numbers, used, level = message.write_sequence(code, vectors, -1000)
        coded = message.sequence(code, vectors, -1000)
    assert coded is not None
    assert level is not None
    assert used.mean() > 0.97
    content = message.read(numbers)
    assert content.damaged == ()
    assert (content.vectors == vectors).all()
    again = code(level)
    assert (content.modes == again.modes).all()
    assert (content.quantised == again.quantised()).all()
    finer = code(level - 12)
    sides = message.stream.room - sum(len(p) for p in again.write())
    assert sum(len(p) for p in finer.write()) > message.stream.room - sides


def test_the_modes_of_a_damaged_block_are_plain():
    converter, message, sequence, wanted, vectors, _ = ready((150, 200))
    with torch.inference_mode():
        code = converter.in_turn.coding(sequence, wanted, message)
        numbers, _, _ = message.write_sequence(code, vectors, -1000)
    numbers[:20, :20] = 0
    content = message.read(numbers)
    assert message.region.blocks[0] in content.damaged
    assert (content.modes[:, message.grid.blocks == 0] == 0).all()
    assert (content.modes != 0).any()


def test_numbers_that_name_no_mode_are_modes_all_the_same():
    """Three modes take two bits; a carrier that was made up may say 3."""
    _, message, _, _, _, _ = ready((64, 64))
    block = message.region.blocks[0]
    bits = np.ones(1000, np.uint8)
    named, taken = message._read_modes(block, bits)
    assert taken == 2 * 3 * 64
    assert (named == 2).all()
    named, _ = message._read_modes(block, bits[:100])
    assert named.shape == (3, 64)
    assert (named[0, :50] == 2).all()
    assert (named[0, 50:] == 0).all()


def test_a_sequence_that_fits_nowhere_is_nothing():
    converter = converter_of("sequence")
    pictures = pictures_of("sequence", 8, 6, 1)
    cover = converter.deep_cover(pictures[0])
    (region,) = regions(8, 6, 8)
    message = converter.message(region, np.zeros(cover.shape, bool), 0)
    assert message.sequence(lambda level: pytest.fail(str(level)), None, 0) is None
