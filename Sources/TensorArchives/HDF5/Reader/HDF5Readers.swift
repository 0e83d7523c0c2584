#if HDF5
  import Platform
  import Synchronization
  import SystemPackage

  /// Processes that call libhdf5 for this one, so that a file on which it crashes, or loops, or
  /// fills the memory costs that file alone.
  ///
  /// A reader that has served other files may have been damaged by one of them without a sign. So
  /// whatever it fails at is asked of a new one, and only what that fails at is the file's fault.
  package final class HDF5Readers: Sendable {
    private let program: String
    /// Readers that wait for a question, all of whose answers were good.
    private let idle = Mutex<[HDF5ReaderProcess]>([])
    private let fileCount = Atomic<Int>(0)

    /// - Parameter program: the path of a program that runs `HDF5Server` where its first argument
    ///   is `HDF5Server.argument`.
    package init(program: String) { self.program = program }

    /// A number for one more open file.
    func nextFile() -> Int { fileCount.add(1, ordering: .relaxed).newValue }

    /// Asks a question.
    ///
    /// - Parameter take: is handed the reader, and reads the answer from it. It may be called twice.
    /// - Throws: `ArchiveError` where the file is damaged, and where no reader can be started.
    func answer<Answer>(
      _ question: HDF5Question,
      _ take: (HDF5ReaderProcess) throws(HDF5ReaderProcess.Failure) -> Answer
    ) throws(ArchiveError) -> Answer {
      var question = question
      question.processorSeconds = Self.firstSeconds(for: question)
      if let reader = idle.withLock({ $0.popLast() }),
        let answer = try? ask(question, of: reader, take)
      {
        return answer
      }
      question.processorSeconds = Self.seconds(for: question)
      let reader: HDF5ReaderProcess
      do throws(Errno) {
        reader = try HDF5ReaderProcess(program)
      } catch {
        throw ArchiveError(
          path: question.path, .unreadable("can't start the process that reads HDF5: \(error)"))
      }
      do throws(HDF5ReaderProcess.Failure) {
        return try ask(question, of: reader, take)
      } catch {
        throw error.error(question.path)
      }
    }

    private func ask<Answer>(
      _ question: HDF5Question, of reader: HDF5ReaderProcess,
      _ take: (HDF5ReaderProcess) throws(HDF5ReaderProcess.Failure) -> Answer
    ) throws(HDF5ReaderProcess.Failure) -> Answer {
      try reader.send(question)
      let answer = try take(reader)
      idle.withLock { $0.append(reader) }
      return answer
    }

    /// How much a new reader may compute for an answer: 3 seconds, and one more for each 10 MB of
    /// the file and each 100 MB of the answer.
    private static func seconds(for question: HDF5Question) -> Int {
      if let givenLimit { return givenLimit }
      var answer = 0
      if case .elements(_, _, let lower, let upper) = question.subject {
        answer = (upper - lower) / 25_000_000
      }
      return 3 + Int((try? Stat(question.path).size) ?? 0) / 10_000_000 + answer
    }

    /// How much one may compute that has served other files; with the other, a small file is given
    /// up after 5 seconds.
    private static func firstSeconds(for question: HDF5Question) -> Int {
      givenLimit ?? seconds(for: question) - 1
    }

    /// For tests.
    private static let givenLimit =
      ProcessInfo.processInfo.environment["PARITY_CHECK_WATCH_SECONDS"].flatMap { Int($0) }
  }

  /// A file that readers read.
  struct HDF5ReadFile: HDF5Access {
    private let path: String
    private let part: Range<Int>?
    private let readers: HDF5Readers
    private let number: Int

    init(path: String, _ part: Range<Int>?, _ readers: HDF5Readers) {
      self.path = path
      self.part = part
      self.readers = readers
      number = readers.nextFile()
    }

    private func question(_ subject: HDF5Question.Subject) -> HDF5Question {
      HDF5Question(path: path, part: part, file: number, subject: subject)
    }

    func contents() throws(ArchiveError) -> HDF5Contents {
      try readers.answer(question(.contents)) { reader throws(HDF5ReaderProcess.Failure) in
        try reader.json()
      }
    }

    func layout(of name: String) throws(ArchiveError) -> HDF5Layout {
      try readers.answer(question(.layout(name))) { reader throws(HDF5ReaderProcess.Failure) in
        try reader.json()
      }
    }

    func read(
      _ range: Range<Int>, of name: String, _ layout: HDF5Layout,
      into buffer: UnsafeMutableRawBufferPointer
    ) throws(ArchiveError) {
      guard !range.isEmpty else { return }
      let subject = HDF5Question.Subject.elements(
        name, layout, lower: range.lowerBound, upper: range.upperBound)
      try readers.answer(question(subject)) { reader throws(HDF5ReaderProcess.Failure) in
        try reader.elements(into: buffer)
      }
    }
  }
#endif
