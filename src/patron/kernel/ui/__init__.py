"""What every page stands on: shell, page decorator, navigation, formats, icons and front-end parts."""
