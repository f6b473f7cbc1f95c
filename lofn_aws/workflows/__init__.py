"""What each command does: observe, plan, apply."""
