import Platform

/// What libFuzzer calls with one input after the other. Nothing is wrong unless this traps, takes
/// too long or needs too much memory: an error that is thrown is how damaged input is refused.
///
/// The name of the reader stands in the environment variable `PARITY_CHECK_FUZZ`, and the folder
/// for the file with the input in `TMPDIR`.
@_cdecl("LLVMFuzzerTestOneInput")
func readOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  Reader.chosen.read(UnsafeBufferPointer(start: bytes, count: count))
  return 0
}
