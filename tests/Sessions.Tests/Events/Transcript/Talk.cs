using System.Text;
using System.Text.Json;
using Sessions.Tests.Disks;
using Sessions.Tests.Support;

namespace Sessions.Tests.Events.Transcript;

/// <summary>A session of a test's own, and what its transcript says.</summary>
internal sealed class Talk : IDisposable
{
    public Talk()
    {
        Disk = new MemoryDisk();
        Store = Stores.Open(Disk, Time);
        Session = Store.Create();
    }

    public MemoryDisk Disk { get; }

    public ManualTime Time { get; } = new();

    public SessionStore Store { get; }

    public Session Session { get; }

    public long Add(string type, string data, string? turn = null)
        => Session.Append(type, Encoding.UTF8.GetBytes(data), new AppendOptions { TurnId = turn });

    public string Text(TranscriptFormat format, TranscriptOptions? options = null)
        => Stores.Text(b => Session.WriteTranscript(format, options, b));

    /// <summary>The messages, as plain ones or UI ones.</summary>
    public JsonElement[] Messages(TranscriptFormat format = TranscriptFormat.Messages,
        TranscriptOptions? options = null)
        => [.. JsonDocument.Parse(Text(format, options)).RootElement.GetProperty("messages").EnumerateArray()];

    /// <summary>The parts of the only message.</summary>
    public string UiParts() => Assert.Single(Messages(TranscriptFormat.UiMessages)).GetProperty("parts").GetRawText();

    public static string Parts(JsonElement message) => message.GetProperty("parts").GetRawText();

    public static string Id(JsonElement message) => message.GetProperty("id").GetString()!;

    public void Dispose()
    {
        Session.Dispose();
        Store.Dispose();
    }
}
