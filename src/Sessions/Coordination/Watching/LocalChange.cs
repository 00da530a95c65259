using Sessions.Model;

namespace Sessions.Coordination.Watching;

/// <summary>Something that only this store's own watches are told of: it is in no frame.</summary>
/// <param name="Lsn">What was published when it happened.</param>
/// <param name="At">When, in unix ms.</param>
/// <param name="Kind">Its one kind.</param>
/// <param name="SessionId">"": of no session.</param>
/// <param name="Detail">A compact object.</param>
internal sealed record LocalChange(long Lsn, long At, WatchKinds Kind, string SessionId, ReadOnlyMemory<byte> Detail);
