/// The machine that this process runs on.
package enum Machine {
  /// How many threads it runs at the same time.
  package static var cores: Int { ProcessInfo.processInfo.activeProcessorCount }
}
