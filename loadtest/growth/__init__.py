"""Growth: what a review and a change cost as one thing grows, a curve each."""
