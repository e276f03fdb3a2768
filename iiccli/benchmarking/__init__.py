"""Our models beside what users would pick instead: fidelity, robustness, speed and memory."""
