"""What bench/compare is made of. bench/README.md says what is measured, and how."""
