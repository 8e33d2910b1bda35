"""What the tests share; nothing here is found by test discovery."""
