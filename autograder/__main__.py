from autograder.cli.main import main

if __name__ == "__main__":  # imported by the console script, and again by each worker process
    raise SystemExit(main())
