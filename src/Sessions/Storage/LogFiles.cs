using Sessions.Platform;

namespace Sessions.Storage;

/// <summary>The event logs written to lately, kept open. A folder that moves takes its open files
/// along, so a move needs no word here; where the log was replaced it is opened anew. Used under
/// the store lock only.</summary>
internal sealed class LogFiles(IDisk disk, Func<string, int> rewritesOf) : IDisposable
{
    private const int FilesMax = 64;
    private readonly Dictionary<string, LinkedListNode<(string Id, IDiskFile File, int Rewrites)>> _open = [];
    private readonly LinkedList<(string Id, IDiskFile File, int Rewrites)> _byUse = new();

    public IDiskFile Get(string id, string path)
    {
        int rewrites = rewritesOf(id);
        if (_open.TryGetValue(id, out LinkedListNode<(string Id, IDiskFile File, int Rewrites)>? node)
            && node.Value.Rewrites != rewrites)
        {
            Forget(id);
            node = null;
        }

        if (node is not null)
        {
            if (_byUse.First != node)
            {
                _byUse.Remove(node);
                _byUse.AddFirst(node);
            }

            return node.Value.File;
        }

        IDiskFile file = disk.Open(path, OpenMode.OpenOrCreate, mayBeLinked: true);
        try
        {
            LinkedLog.Require(file, path, mayBeBlank: true);
        }
        catch
        {
            file.Dispose();
            throw;
        }

        if (_open.Count >= FilesMax)
        {
            Forget(_byUse.Last!.Value.Id);
        }

        _open.Add(id, _byUse.AddFirst((id, file, rewrites)));
        return file;
    }

    public void Forget(string id)
    {
        if (_open.Remove(id, out LinkedListNode<(string Id, IDiskFile File, int Rewrites)>? node))
        {
            node.Value.File.Dispose();
            _byUse.Remove(node);
        }
    }

    public void Dispose()
    {
        foreach ((_, IDiskFile file, _) in _byUse)
        {
            file.Dispose();
        }

        _open.Clear();
        _byUse.Clear();
    }
}
