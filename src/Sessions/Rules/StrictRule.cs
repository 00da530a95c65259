using Sessions.Json;

namespace Sessions.Rules;

/// <summary>Where `strict_lock` says that a conversation is written only by who holds its lock: the store's rule,
/// or that of the workspace which the session's facts name. Used under the rows' gate.</summary>
internal sealed class StrictRule
{
    private const string Name = "strict_lock";

    private byte[] _config = [];
    private bool _ofStore;
    private Dictionary<string, bool> _ofWorkspaces = [];

    /// <param name="config">config.json, compact; empty: none.</param>
    /// <param name="info">The session.</param>
    public bool Applies(byte[] config, SessionInfo info)
    {
        if (config.Length == 0)
        {
            return false;
        }

        if (!ReferenceEquals(config, _config))
        {
            Learn(config);
        }

        return _ofWorkspaces.Count > 0 && StoreConfig.WorkspaceOf(info) is { } id
            && _ofWorkspaces.TryGetValue(id, out bool strict) ? strict : _ofStore;
    }

    private void Learn(byte[] config)
    {
        _ofStore = Find(JsonMembers.Of(StoreConfig.Effective(config))) ?? false;
        _ofWorkspaces = [];
        JsonMember workspaces = JsonMembers.Of(config).Find(m => m.Name == "workspaces");
        foreach (JsonMember workspace in workspaces.Name is null ? [] : JsonMembers.Of(workspaces.Value))
        {
            if (workspace.IsObject && Find(JsonMembers.Of(workspace.Value)) is { } strict)
            {
                _ofWorkspaces[workspace.Name] = strict;
            }
        }

        _config = config;
    }

    private static bool? Find(List<JsonMember> members)
    {
        JsonMember found = members.Find(m => m.Name == Name);
        return found.Name is null || found.IsNull ? null : found.Flag;
    }
}
