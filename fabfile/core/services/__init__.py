"""Services: what each is, what they are to each other, and how they change."""
