"""An EMR-compatible endpoint on this machine, whose clusters are containers that really run."""
