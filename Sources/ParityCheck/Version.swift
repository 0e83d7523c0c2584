/// The version of all that is built from this repository: the program, its archive, and the
/// Python package, which reads this line (`tools/parity_check/version.py`).
let parityCheckVersion = "0.1.0"
