"""What writers and site share: fonts, templates, messages in several languages, image copies."""
