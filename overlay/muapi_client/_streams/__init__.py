"""An event stream: its frames, what they say, what is known of it, and how it goes."""
