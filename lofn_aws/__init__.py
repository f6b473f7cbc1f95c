"""Make, use and take down EMR clusters that run Docker images over Spark."""
