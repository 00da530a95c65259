namespace Sessions.Images;

/// <summary>lock.json as it was read from an image, so that it is read once.</summary>
internal sealed record KnownLock(byte[] Image, LockState State);
