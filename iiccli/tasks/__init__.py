"""The conversions: what goes in, what the carrier looks like, what comes back."""
