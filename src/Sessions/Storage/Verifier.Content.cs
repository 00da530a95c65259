using System.Globalization;

namespace Sessions.Storage;

/// <content>What whole files say that hosts should know of.</content>
internal sealed partial class Verifier
{
    // Hosts are shown these files' texts without them.
    private void CountHalves(string path, string id, byte[]? compact)
    {
        if (HalfPairs.Count(compact) is > 0 and var count)
        {
            Add("half_surrogates", "info", id, path, null, null, null, null, string.Create(
                CultureInfo.InvariantCulture, $"{count} halves of surrogate pairs are shown as U+FFFD"));
        }
    }
}
