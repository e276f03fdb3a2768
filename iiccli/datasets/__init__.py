"""Published data sets: what they look like on disk, their splits, and manifests of them."""
