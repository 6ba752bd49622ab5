"""What can be proven of the Bicep files without Azure and without the Bicep compiler."""
