using System.Reflection;
using System.Text;

namespace Sessions.Tests.Support;

/// <summary>Looks through everything that an object leads to, and the library's static fields, for a text.</summary>
internal static class ObjectGraph
{
    /// <summary>The types whose fields lead to the text, as a string, as characters or as UTF-8; those of the tests
    /// themselves are passed over.</summary>
    public static List<string> Find(string text, params object[] roots)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        var found = new List<string>();
        var seen = new HashSet<object>(ReferenceEqualityComparer.Instance);
        var open = new Stack<(object Object, string From)>();
        Array.ForEach(roots, r => open.Push((r, "root")));
        foreach (Type type in typeof(Session).Assembly.GetTypes().Where(t => !t.ContainsGenericParameters))
        {
            Add(null, type, BindingFlags.Static);
        }

        while (open.TryPop(out (object Object, string From) next))
        {
            bool holds = next.Object switch
            {
                string s => s.Contains(text, StringComparison.Ordinal),
                byte[] bytes => bytes.AsSpan().IndexOf(utf8) >= 0,
                char[] chars => chars.AsSpan().IndexOf(text) >= 0,
                _ => false,
            };
            if (holds)
            {
                found.Add(next.From);
            }

            if (next.Object is string || (!next.Object.GetType().IsValueType && !seen.Add(next.Object)))
            {
                continue;
            }

            if (next.Object is Array array)
            {
                if (!array.GetType().GetElementType()!.IsPrimitive && !array.GetType().GetElementType()!.IsPointer)
                {
                    foreach (object? item in array)
                    {
                        Push(item, next.From);
                    }
                }

                continue;
            }

            for (Type? type = next.Object.GetType(); type is not null; type = type.BaseType)
            {
                Add(next.Object, type, BindingFlags.Instance);
            }
        }

        return found;

        void Add(object? target, Type type, BindingFlags of)
        {
            foreach (FieldInfo field in type.GetFields(of | BindingFlags.Public | BindingFlags.NonPublic
                | BindingFlags.DeclaredOnly))
            {
                if (!field.FieldType.IsPointer && !field.FieldType.IsFunctionPointer && !field.FieldType.IsPrimitive
                    && !field.IsLiteral)
                {
                    Push(field.GetValue(target), $"{type.Name}.{field.Name}");
                }
            }
        }

        void Push(object? value, string from)
        {
            if (value is not null and not MemberInfo and not Assembly and not Module and not Thread and not Pointer
                && value.GetType().Assembly != typeof(ObjectGraph).Assembly)
            {
                open.Push((value, from));
            }
        }
    }
}
