"""Bits into whole numbers mod q and back: the message of a modulo carrier. numpy only."""
