"""What is asked of an agent, judged before it is asked: a spec in Markdown."""
