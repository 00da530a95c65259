using Sessions.Json;
using Sessions.Model;

namespace Sessions;

/// <summary>Options of the calls that work on a store's path while nobody has it open: salvage and migrate.</summary>
internal sealed record PathOptions
{
    /// <summary>What <see cref="StoreFlags.SharedOwners"/> is to an open.</summary>
    public bool SharedOwners { get; init; }

    /// <summary>Reads the argument.</summary>
    public static PathOptions Read(ReadOnlySpan<byte> json)
    {
        const string argument = "options_json";
        var options = new PathOptions();
        foreach (JsonMember m in JsonMembers.Of(JsonArgument.Compact(json, argument, isObject: true)))
        {
            options = m.Name != "shared_owners" ? throw Errors.Word(argument, m.Name, "shared_owners")
                : m.Value.Span[0] is (byte)'t' or (byte)'f' ? options with { SharedOwners = m.Flag }
                : throw Errors.Argument(argument, "shared_owners must be true or false.");
        }

        return options;
    }
}
