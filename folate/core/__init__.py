"""What every part may use and that knows nothing of Folate: text made safe to print, cells made safe to open."""
