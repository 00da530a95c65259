namespace Sessions.Images;

/// <summary>Who claims entries of a queue, as it was read from an image, so that it is read once.</summary>
internal sealed record KnownClaims(byte[] Image, List<string> Claimers);
