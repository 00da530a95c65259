using System.Text;

namespace Sessions.CrashHost;

/// <summary>What the host says: whole lines, each in one write, on its way before the call returns.</summary>
internal sealed class Tongue(Stream output)
{
    private readonly Lock _gate = new();

    public void Say(params ReadOnlySpan<string> fields)
    {
        byte[] line = Encoding.UTF8.GetBytes(string.Join('\t', fields!) + "\n");
        lock (_gate)
        {
            output.Write(line);
            output.Flush();
        }
    }
}
