"""EMR's operations, one method each, named as in the API; one file per subject."""
