"""Payment gateways: one file for each provider."""
