"""What holds for the project as a whole: its layers, names, documents and examples."""
