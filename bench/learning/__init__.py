"""Learning results: what our algorithms reach, beside exact optima and published returns."""
