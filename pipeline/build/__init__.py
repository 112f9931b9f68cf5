"""Sources to renditions in output/: build state, fingerprints, stages, worker processes, parity checks."""
