"""What a server's requests mean for a test. Knows neither unittest nor pytest."""
