"""Speed and memory, measured: `make bench`. Figures and ratios are printed, never asserted."""
