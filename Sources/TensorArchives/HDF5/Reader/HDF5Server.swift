#if HDF5
  import Platform
  import SystemPackage
  import TensorCore

  /// The reader: this program as a process that calls libhdf5 for another one, which asks it
  /// through a socket. It ends when that one does.
  package enum HDF5Server {
    /// The first argument of a program that is to be a reader.
    package static let argument = "hdf5-reader"

    /// Answers questions until there are no more, and ends the process.
    package static func run() -> Never {
      signal(SIGPROF, SIG_DFL)
      var server = Files(base: MemoryLimit.used)
      while let question = receive() { answer(question, &server) }
      _exit(0)
    }

    /// The socket.
    private static let socket = FileDescriptor.standardInput

    /// The largest part of the elements that is sent, and held, at a time, where the file is not
    /// packed in larger pieces.
    private static let partSize = 1 << 23

    private static func receive() -> HDF5Question? {
      guard let header = socket.bytes(HDF5Message.headerSize),
        let (kind, count) = HDF5Message.header(header), kind == .json,
        let json = socket.bytes(count)
      else { return nil }
      return try? JSONDecoder().decode(HDF5Question.self, from: Data(json))
    }

    private static func answer(_ question: HDF5Question, _ files: inout Files) {
      limitProcessorTime(question.processorSeconds)
      // Whoever has asked waits no longer than this, and may be gone.
      alarm(UInt32(clamping: question.seconds + 10))
      defer {
        limitProcessorTime(0)
        alarm(0)
      }
      do throws(ArchiveError) {
        let file = try files.file(question)
        switch question.subject {
        case .contents: send(try file.contents())
        case .layout(let name): send(try file.layout(of: name))
        case .elements(let name, let layout, let lower, let upper):
          try sendElements(lower..<upper, of: name, layout, in: file)
        }
      } catch {
        send(HDF5Refusal(member: error.member, reason: error.reason), .refusal)
      }
    }

    /// Ends this process, by SIGPROF, where it computes for longer than so many seconds from now on;
    /// 0 lifts the limit.
    private static func limitProcessorTime(_ seconds: Int) {
      var timer = itimerval()
      timer.it_value.tv_sec = seconds
      #if canImport(Glibc)
        setitimer(__itimer_which_t(ITIMER_PROF.rawValue), &timer, nil)
      #else
        setitimer(ITIMER_PROF, &timer, nil)
      #endif
    }

    private static func sendElements(
      _ range: Range<Int>, of name: String, _ layout: HDF5Layout, in file: HDF5File
    ) throws(ArchiveError) {
      guard let width = layout.header?.elementType.byteCount else { _exit(1) }
      let size = max(1, partSize / width / layout.grain) * layout.grain
      var start = range.lowerBound
      while start < range.upperBound {
        // So that each part begins where a piece of the file does.
        let end = min(range.upperBound, (start / size + 1) * size)
        let bytes = UnsafeMutableRawBufferPointer.allocate(
          byteCount: (end - start) * width, alignment: 16)
        defer { bytes.deallocate() }
        try file.read(start..<end, of: name, layout, into: bytes)
        send(.elements, UnsafeRawBufferPointer(bytes))
        start = end
      }
    }

    private static func send(_ answer: some Encodable, _ kind: HDF5Message.Kind = .json) {
      guard let json = try? JSONEncoder().encode(answer) else { _exit(1) }
      json.withUnsafeBytes { send(kind, $0) }
    }

    private static func send(_ kind: HDF5Message.Kind, _ bytes: UnsafeRawBufferPointer) {
      do {
        try socket.writeAll(HDF5Message.header(kind, bytes.count))
        try socket.write(whole: bytes)
      } catch { _exit(0) }
    }
  }

  /// The files that a reader has open, the last used one last.
  private struct Files {
    /// How many bytes of addresses the process has used before any file.
    let base: Int
    private var open: [(number: Int, file: HDF5File)] = []

    init(base: Int) { self.base = base }

    private static let largestCount = 8

    mutating func file(_ question: HDF5Question) throws(ArchiveError) -> HDF5File {
      let size = (try? Stat(question.path).size).map { Int(clamping: $0) } ?? 0
      let limit = MemoryLimit.bytes(forFileOf: size)
      // The file itself may be mapped.
      MemoryLimit.set(base + limit + size)
      HDF5Dataset.largestChunk = limit / 2
      if let place = open.firstIndex(where: { $0.number == question.file }) {
        open.append(open.remove(at: place))
      } else {
        let file = try HDF5File(path: question.path, part: question.part)
        open.append((question.file, file))
        if open.count > Self.largestCount { open.removeFirst() }
      }
      return open[open.count - 1].file
    }
  }
#endif
