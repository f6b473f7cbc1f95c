"""Pure planning: what is there and what is wanted, in; what to do, out."""
