"""Where ConfigMaps come from. A source reads; what the ConfigMaps mean is `configmaps`' part."""
