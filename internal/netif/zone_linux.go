package netif

import "errors"

// The question is RTM_GETLINK for one interface, rtnetlink(7). SIOCGIFINDEX is a little cheaper, but for a name that
// does not exist it makes the kernel load a module of that name when the caller is privileged; a zone comes from a
// description, and a description must not load modules.

func lookupZone(zone string) (int, error) {
	q, err := openQuery()
	if err != nil {
		return 0, err
	}
	defer q.close()
	link, err := q.link(0, zone)
	if !errors.Is(err, ErrNoInterface) {
		return link.Index, err
	}
	index, ok := decimalIndex(zone)
	if !ok {
		return 0, ErrNoInterface
	}
	_, err = q.link(index, "")
	return index, err
}

func lookupIndex(index int) (string, error) {
	if index <= 0 {
		return "", ErrNoInterface
	}
	q, err := openQuery()
	if err != nil {
		return "", err
	}
	defer q.close()
	link, err := q.link(index, "")
	return link.Name, err
}
