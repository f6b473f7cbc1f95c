"""What turns a booted node into a member of its cluster, as EMR's own provisioning does."""
