namespace Sessions.Images;

/// <summary>queue.json with what it says, so that an image of mebibytes is read once.</summary>
/// <param name="Image">The compact image; this very array is what the row has.</param>
/// <param name="State">What it says.</param>
/// <param name="EntriesEnd">Where in it the array of entries ends; 0: there is none.</param>
internal sealed record KnownQueue(byte[] Image, QueueState State, int EntriesEnd);
