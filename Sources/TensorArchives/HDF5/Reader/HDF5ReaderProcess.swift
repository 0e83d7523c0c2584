#if HDF5
  import Platform
  import SystemPackage

  /// A reader, as the process knows it that asks. It is ended with the last reference to it.
  final class HDF5ReaderProcess: Sendable {
    /// Why there is no answer.
    enum Failure: Error {
      /// What libhdf5, or the code around it, says of the file.
      case refused(HDF5Refusal)
      /// The process has ended, or answers nothing.
      case lost(String)

      /// The process is there, and what it says is nothing: its memory is damaged.
      static let noAnswer = Failure.lost("the process that reads HDF5 gave no answer that is one")

      func error(_ path: String) -> ArchiveError {
        switch self {
        case .refused(let refusal):
          ArchiveError(path: path, member: refusal.member, refusal.reason)
        case .lost(let reason): ArchiveError(path: path, .unreadable(reason))
        }
      }
    }

    private let process: pid_t
    private let socket: FileDescriptor
    /// When the reader must have answered.
    private nonisolated(unsafe) var end = ContinuousClock.now
    /// How much it may compute and how long it may take for that, in seconds.
    private nonisolated(unsafe) var limits = (processor: 0, clock: 0)

    /// Starts a reader.
    ///
    /// - Throws: `Errno` where the system refuses.
    init(_ program: String) throws(Errno) {
      let (own, other) = try FileDescriptor.socketPair()
      defer { try? other.close() }
      do throws(Errno) {
        process = try ProcessStart.start(
          program, arguments: [program, HDF5Server.argument], standardInput: other)
      } catch {
        try? own.close()
        throw error
      }
      socket = own
    }

    deinit {
      try? socket.close()
      stop()
    }

    private func stop() {
      kill(process, SIGKILL)
      var state: CInt = 0
      while waitpid(process, &state, 0) < 0, errno == EINTR {}
    }

    func send(_ question: HDF5Question) throws(Failure) {
      limits = (question.processorSeconds, question.seconds)
      end = .now + .seconds(question.seconds)
      guard let json = try? JSONEncoder().encode(question),
        socket.sendWithoutSignal(HDF5Message.header(.json, json.count) + json)
      else { throw lost() }
    }

    /// The answer to a question, but for one about elements.
    func json<Answer: Decodable>() throws(Failure) -> Answer {
      let (kind, count) = try header()
      guard count <= Self.largestAnswer else { throw .noAnswer }
      let bytes = try bytes(count)
      if kind == .refusal { throw refusal(bytes) }
      guard kind == .json, let answer = try? JSONDecoder().decode(Answer.self, from: Data(bytes))
      else { throw .noAnswer }
      return answer
    }

    /// The answer to a question about elements.
    ///
    /// - Parameter buffer: exactly as large as these.
    func elements(into buffer: UnsafeMutableRawBufferPointer) throws(Failure) {
      var filled = 0
      while filled < buffer.count {
        let (kind, count) = try header()
        if kind == .refusal, count <= Self.largestAnswer { throw refusal(try bytes(count)) }
        guard kind == .elements, count > 0, count <= buffer.count - filled else {
          throw .noAnswer
        }
        try fill(UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<filled + count]))
        filled += count
      }
    }

    /// More than the names of all datasets and a manifest take.
    private static let largestAnswer = 1 << 28

    private func header() throws(Failure) -> (kind: HDF5Message.Kind, count: Int) {
      guard let header = HDF5Message.header(try bytes(HDF5Message.headerSize)) else {
        throw .noAnswer
      }
      return header
    }

    private func bytes(_ count: Int) throws(Failure) -> [UInt8] {
      var bytes = [UInt8](repeating: 0, count: count)
      var failure: Failure?
      bytes.withUnsafeMutableBytes { buffer in
        do throws(Failure) { try fill(buffer) } catch { failure = error }
      }
      if let failure { throw failure }
      return bytes
    }

    private func fill(_ buffer: UnsafeMutableRawBufferPointer) throws(Failure) {
      var filled = 0
      while filled < buffer.count {
        guard socket.isReadable(by: end) else {
          throw .lost("libhdf5 gave no answer for \(limits.clock) s")
        }
        let count = try? socket.read(
          into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
        guard let count, count > 0 else { throw lost() }
        filled += count
      }
    }

    private func refusal(_ bytes: [UInt8]) -> Failure {
      (try? JSONDecoder().decode(HDF5Refusal.self, from: Data(bytes))).map { .refused($0) }
        ?? .noAnswer
    }

    /// Why the reader has closed its end of the socket, which it does in no other way than by its
    /// end.
    private func lost() -> Failure {
      var information = siginfo_t()
      // Left there for `waitpid`.
      let result = waitid(P_PID, id_t(process), &information, WEXITED | WNOWAIT)
      guard result == 0, information.si_code != CLD_EXITED else {
        return .lost("the process that reads HDF5 has ended")
      }
      // The reader's own limit.
      if information.endStatus == SIGPROF {
        return .lost("libhdf5 computed for \(limits.processor) s and gave no answer")
      }
      return .lost("libhdf5 crashed on it (signal \(information.endStatus))")
    }
  }

  extension siginfo_t {
    /// The signal that has ended a process, or its exit status.
    fileprivate var endStatus: CInt {
      #if canImport(Darwin)
        si_status
      #else
        _sifields._sigchld.si_status
      #endif
    }
  }
#endif
