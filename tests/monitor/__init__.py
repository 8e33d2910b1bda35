"""What a test hears of the requests that it caused."""
