"""What a deployment does beside making resources: azure.yaml names the scripts."""
