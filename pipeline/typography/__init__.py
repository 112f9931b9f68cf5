"""What writers and site share: the text, fonts, templates and pictures of renditions. Other rooms import its modules.

article                        a release with the template's messages, in reading order, which every writer renders
messages                       the template's strings, dates and numbers in the language of a release
templates                      Jinja templates, style sheets and scripts
fonts                          font files, coverage of characters, rules for style sheets
feed_list, downloads           which feeds there are; the downloads on a page
contact_cards, headline        contacts as text and vCard; shortened and balanced headlines
image_sizes, image_metadata    resized copies of pictures; removing their metadata

No module imports Babel, Jinja or fontTools before a function needs it. Only ``image_sizes`` imports Pillow.
"""
