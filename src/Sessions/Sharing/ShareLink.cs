using System.Buffers;
using Sessions.Images;
using Sessions.Json;

namespace Sessions.Sharing;

/// <summary>A share as it is handed out once: with its url and its secret.</summary>
internal static class ShareLink
{
    /// <summary>Writes both, which go into the output and into no buffer of ours.</summary>
    public static void Write(ShareRecord r, string sessionId, string baseUrl, ShareSecret secret,
        IBufferWriter<byte> output)
    {
        var b = new Utf8Buffer(512);
        b.Byte('{').Member("share_id", r.ShareId).Member("session_id", sessionId).Member("url", baseUrl);
        output.Write(b.Written[..^1]); // without the quote that ends the text
        output.Write(secret.Text);
        output.Write("\",\"secret\":\""u8);
        output.Write(secret.Text);
        b.Clear();
        b.Byte('"');
        ShareList.WriteFacts(r, b);
        output.Write(b.Byte('}').Written);
    }
}
